/** A path without the folder before it, where it lies in that. For lists: what is decided on is shown whole. */
export function within(path: string, folder: string | null): string {
	return folder && path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path
}
