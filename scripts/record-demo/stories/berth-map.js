import { bash } from '../tools.js'

export default {
	name: 'berth-map',
	title: 'Bring feat/berth-map up to date and push it',
	project: 'harbor-web',
	branch: 'feat/berth-map',
	startedMinutesAgo: 336,
	allowed: [
		'Bash(npm test)',
		'Bash(git fetch:*)',
		'Bash(git rebase main)',
		'Bash(git push origin feat/berth-map)',
	],
	// The branch exists on the remote, was changed there by another machine, and main went on.
	setup: `
		git init -q --bare ../remotes/harbor-web.git
		git remote add origin ../remotes/harbor-web.git
		git remote set-url origin "$HOME/remotes/harbor-web.git"
		printf 'export const mapOf = (berths) => berths.map((berth) => berth.id).join(" ")\\n' > src/map.js
		git add -A && git commit -qm "Draw the berths on a map"
		git push -q -u origin main feat/berth-map
		git switch -qc elsewhere
		printf 'export const legend = "A: guests, B: residents"\\n' > src/legend.js
		git add -A && git commit -qm "Add a legend to the map"
		git push -q origin elsewhere:feat/berth-map
		git switch -q main && git branch -qD elsewhere
		printf 'export const tides = []\\n' > src/tides.js
		git add -A && git commit -qm "Show tides"
		git push -q origin main
		git switch -q feat/berth-map
		git update-ref refs/remotes/origin/feat/berth-map feat/berth-map
	`,
	prompt: 'feat/berth-map is behind main. Bring it up to date and push it.',
	answers: [
		{
			decision: 'deny',
			reason:
				'Never force-push this branch: the build machine commits to it too. Keep what is on the remote and merge instead.',
			waitedMs: 263_000,
		},
		{ decision: 'allow', scope: 'once', waitedMs: 38_000 },
	],
	turns: [
		[
			{ text: "I'll see where the branch stands first." },
			bash('git status -sb && git log --oneline --graph --all', 'Show the branch and its history'),
		],
		[
			{
				text: 'One commit of ours, one on main that we lack, and no conflict in sight: a rebase keeps it simple.',
			},
			bash('git rebase main', 'Rebase the branch onto main'),
		],
		[
			bash('npm test', 'Run the tests on the rebased branch'),
			bash('git push origin feat/berth-map', 'Push the branch'),
		],
		[
			{
				thinking:
					'The push was rejected as non-fast-forward. That is expected after a rebase, since the remote still has the old copy of the commit. The usual step is a force push, which needs permission because it can destroy commits on the remote.',
			},
			{
				text: 'The tests pass; the push was rejected, because the rebase rewrote our commit. Replacing the branch on the remote would take a forced push.',
			},
			bash('git push --force origin feat/berth-map', 'Replace the branch on the remote'),
		],
		[
			{
				thinking:
					'Refused, and with a good reason. I only know what the last fetch told me. Fetch, look at what the remote has that I do not, and do it with a merge.',
			},
			{
				text: 'Understood: nothing on the remote gets replaced. Let me fetch and see what I would have overwritten.',
			},
			bash('git fetch origin', 'Fetch what is on the remote'),
			bash(
				'git log --oneline main..origin/feat/berth-map',
				'List the commits on the remote branch',
			),
		],
		[
			{
				text: '`Add a legend to the map` is on the remote only: the forced push would have thrown it away. I undo the rebase and merge both sides; no commit is rewritten.',
			},
			bash(
				'git reset --keep feat/berth-map@{1} && git merge --ff-only origin/feat/berth-map && git merge --no-edit main',
				'Undo the rebase, take the remote commits, merge main',
			),
		],
		[
			bash('npm test', 'Run the tests on the merged branch'),
			bash('git push origin feat/berth-map', 'Push the branch'),
		],
		[
			{
				text: `\`feat/berth-map\` is up to date with main and pushed, without force.

- Undid the rebase, so our commit has its old name again.
- Took over \`Add a legend to the map\`, which only the remote had.
- Merged \`main\`; no conflicts, tests pass.

My mistake was to rebase a branch that others push to, from a fetch that was out of date. A note in the project's instructions ("feature branches are merged, never rebased") would keep me from trying that again; shall I add one?`,
			},
		],
	],
}
