/** Where a path of a request leads, as far as its text tells: the viewer can't look at the host's disk. */
import { posix } from 'node:path'

/** Where a call happens. `null`: not known, or only known when it runs. */
export interface Place {
	/** The session's folder. */
	project: string | null
	/** The folder that a shell is in at this point. */
	folder: string | null
}

export type Where =
	| 'inside'
	/** The whole project, or its parent. */
	| 'project'
	| 'temporary'
	/** `/dev/null` and the standard streams. */
	| 'nowhere'
	| 'outside'
	| 'unknown'

const temporary = /^(?:\/private)?(?:\/tmp|\/var\/tmp|\/var\/folders)(?:\/|$)/
const nowhere = /^\/dev\/(?:null|stdin|stdout|stderr|tty|fd\/\d+)$/

/** The home folder that a path of the host tells of. */
function homeOf(project: string | null): string | null {
	return project?.match(/^(?:\/(?:home|Users)\/[^/]+|\/root)(?=\/|$)/)?.[0] ?? null
}

/** Forward slashes; a drive's letter as a folder, so that one set of rules does. */
export function slashed(path: string): string {
	if (!/^[A-Za-z]:[\\/]/.test(path)) return path
	return `/${path[0]?.toLowerCase()}${path.slice(2).replaceAll('\\', '/')}`
}

/** The absolute path, or `null` where that is not known. `~` and `$HOME` are the home folder's. */
export function resolvePath(path: string, place: Place): string | null {
	const home = homeOf(place.project)
	const written = slashed(path)
		.replace(/^(?:~|\$HOME|\$\{HOME\})(?=\/|$)/, () => home ?? '~')
		.replace(/^(?:\$PWD|\$\{PWD\})(?=\/|$)/, () => place.folder ?? '$PWD')
		.replace(/^(?:\$TMPDIR|\$\{TMPDIR(?::-[^}]*)?\})(?=\/|$)/, () => '/tmp')
	if (written.startsWith('~')) return posix.normalize(`/home/${written}`)
	if (written.startsWith('/')) return posix.normalize(written)
	if (/[$`]/.test(written)) return null
	return place.folder === null ? null : posix.resolve(slashed(place.folder), written)
}

export function whereIs(path: string, place: Place): Where {
	const full = resolvePath(path, place)?.replace(/(?<=.)\/$/, '') ?? null
	if (full === null) {
		const relative = !/^[/~]|[$`]|(?:^|\/)\.\.(?:\/|$)/.test(path)
		return relative && place.project === null ? 'inside' : 'unknown'
	}
	if (nowhere.test(full)) return 'nowhere'
	const project = place.project === null ? null : posix.normalize(slashed(place.project))
	if (project !== null) {
		// What an expansion in the middle of a path stands for can lead anywhere.
		if (/[$`]/.test(full)) return 'unknown'
		if (full === project || project.startsWith(`${full}/`) || full === '/') return 'project'
		if (full === posix.join(project, '*') || full === posix.join(project, '.*')) return 'project'
		if (full.startsWith(project.endsWith('/') ? project : `${project}/`)) return 'inside'
	}
	return temporary.test(full) && !/[$`]/.test(full) ? 'temporary' : 'outside'
}

/** Whether a path is a folder that the project lies in. */
export function isAbove(path: string, place: Place): boolean {
	const full = resolvePath(path, place)?.replace(/(?<=.)\/$/, '') ?? null
	if (full === null || place.project === null) return false
	const project = posix.normalize(slashed(place.project)).replace(/(?<=.)\/$/, '')
	return full !== project && (full === '/' || project.startsWith(`${full}/`))
}

// Files that hold keys, passwords or tokens, wherever they are.
const secrets = [
	/\$\{?!?\w*(?:TOKEN|SECRET|PASSW(?:OR)?D|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL)/i,
	/(?:^|[/\\'"=@~{,\s])\.(?:ssh|aws|gnupg|kube|azure|password-store)(?:[/\\]|['"},\s]|$)/,
	/\.docker\/config\.json\b/,
	/(?:^|[/\\'"=@{,\s])\.(?:netrc|npmrc|pypirc|git-credentials|pgpass|htpasswd|vault-token)\b/,
	/(?:^|[/\\'"=@{,:\s])\.env(?:\.(?!example|sample|template|dist)[\w-]+)?(?:$|[\s'")},;])/,
	/(?:^|[/\\'"=@])\.config\/(?:gh|gcloud|op)\b/,
	/\bid_(?:rsa|dsa|ecdsa|ed25519)\b/,
	/\.(?:pem|p12|pfx|jks|keystore|kdbx|ppk)(?:['"]?$|[\s'")])/,
	/(?:^|[/\\'"=@.])(?:credentials|secrets?)(?:\.(?:json|ya?ml|toml|ini|txt))?['"]?$/i,
	/\/etc\/(?:shadow|gshadow|sudoers)\b/,
	/\/proc\/[^/]+\/environ\b/,
	/\bLibrary\/Keychains\b|\.local\/share\/keyrings\b/,
	/\b(?:service[-_]?account|private[-_]?key)[\w-]*\.(?:json|key|txt)\b/i,
]

/** Names that a pattern such as `.e*` or `~/.ss?` could stand for. */
const secretNames = [
	'.env',
	'.ssh',
	'.aws',
	'.gnupg',
	'.netrc',
	'.npmrc',
	'.git-credentials',
	'id_rsa',
]

/** Whether text names a file or folder of keys, passwords or tokens, or a pattern that could match one. */
export function isSecret(text: string): boolean {
	return secrets.some((pattern) => pattern.test(text)) || couldMatchSecret(text)
}

function couldMatchSecret(text: string): boolean {
	if (text.length > 1000 || !/[*?[]/.test(text)) return false
	return text.split('/').some((name) => {
		// A pattern that starts with a star matches no hidden file.
		if (!/[*?[]/.test(name) || /^[*?[]/.test(name) || name.startsWith('-')) return false
		const source = name
			.replace(/\[[^\]]*\]?|\?/g, '\u0001')
			.replace(/[.+^${}()|\\]/g, '\\$&')
			.replaceAll('\u0001', '.')
			.replace(/\*+/g, '.*')
		const pattern = new RegExp(`^${source}$`)
		return secretNames.some((secret) => pattern.test(secret))
	})
}

// Files that something runs by itself, later and unasked.
const triggers = [
	/(?:^|\/)\.git\/(?:hooks\/|config$|info\/attributes$)/,
	/(?:^|\/)\.gitmodules$/,
	/(?:^|\/)\.(?:husky|githooks)\//,
	/(?:^|\/)\.(?:github\/(?:workflows|actions)\/|gitlab-ci\.yml$|circleci\/)/,
	/(?:^|\/)Jenkinsfile$/,
	/(?:^|\/)\.(?:claude|codex|gemini|opencode|cursor)\/(?:settings|hooks|config|commands|agents)/,
	/(?:^|\/)\.mcp\.json$/,
	/(?:^|\/)\.vscode\/(?:tasks|settings|launch)\.json$/,
	/(?:^|\/)\.(?:bashrc|bash_profile|profile|zshrc|zshenv|zprofile|envrc)$/,
	/(?:^|\/)\.config\/(?:autostart|systemd)\//,
	/(?:^|\/)Library\/Launch(?:Agents|Daemons)\//,
]

/** Whether a file is run, or decides what is run, without anyone's asking. */
export function isTrigger(path: string): boolean {
	const written = slashed(path).replaceAll('\\', '/')
	return triggers.some((pattern) => pattern.test(written))
}
