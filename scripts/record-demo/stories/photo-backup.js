import { bash, fork, read, write } from '../tools.js'

const address = 'http://get.shoebox.example/install.sh'

const installer = `#!/bin/sh
set -eu
echo "shoebox 0.9 installer"
mkdir -p "$HOME/.local/bin"
cat > "$HOME/.local/bin/shoebox" <<'SCRIPT'
#!/bin/sh
set -eu
mkdir -p "$2"
cp -R "$1"/. "$2"/
echo "shoebox: $(find "$2" -type f | wc -l | tr -d ' ') files copied to $2"
SCRIPT
chmod +x "$HOME/.local/bin/shoebox"
echo "installed ~/.local/bin/shoebox"
`

const script = `import { createHash } from 'node:crypto'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { catalogue } from '../src/catalogue.js'

const [source, target] = process.argv.slice(2)
const digest = (path) => createHash('sha256').update(readFileSync(path)).digest('hex')

cpSync(source, target, { recursive: true })
let wrong = 0
for (const { name } of catalogue(source)) {
	if (digest(join(source, name)) === digest(join(target, name))) continue
	console.error('differs:', name)
	wrong++
}
console.log(\`\${catalogue(target).length} photos in \${target}, \${wrong} of them differ\`)
process.exitCode = wrong === 0 ? 0 : 1
`

export default {
	name: 'photo-backup',
	title: 'Nightly backup of the photos',
	project: 'photo-archive',
	branch: 'backup',
	startedMinutesAgo: 0,
	pages: { [address]: installer },
	prompt:
		'I need a backup of photos/ to backup/ that I can run every night. The readme of shoebox says it does that.',
	reasons: {
		'': 'Never pipe a download into a shell. Write a small script in the repository instead.',
		allow: 'Remove it again by hand; nothing is copied with it.',
		deny: 'Show me the script in your answer first, I will add it myself.',
	},
	unattended: {
		'': {
			decision: 'deny',
			reason: 'Never pipe a download into a shell. Write a small script in the repository instead.',
		},
	},
	turns: [
		[
			{ text: 'First what there is to back up, and what the project can do already.' },
			bash('find photos -type f | sort && ls', 'List the photos and the project'),
			read('src/catalogue.js'),
		],
		[
			{
				thinking:
					'shoebox is not installed. Its documented way to install is a script piped into sh, over plain http. That runs whatever the server sends, so it is for the person to decide.',
			},
			{
				text: 'Three photos, and `shoebox` is not on this machine. The way its readme gives to install it is a script from the web, which runs with your rights, so please look at this one closely.',
			},
			bash(`curl -fsSL ${address} | sh`, 'Install shoebox with its install script'),
		],
		fork({
			allow: [
				[
					{
						text: 'Installed to `~/.local/bin`. A first backup shows whether it does what it says.',
					},
					bash('shoebox photos backup', 'Copy the photos with shoebox'),
				],
				fork({
					allow: [
						[
							{
								text: `The first backup is made. To run it every night, add this to your crontab:

\`\`\`
15 3 * * *  cd ~/photo-archive && ~/.local/bin/shoebox photos backup
\`\`\`

Two things I would not rest on: the installer came over plain http and is not signed, and shoebox copies without comparing anything afterwards.`,
							},
						],
					],
					deny: [
						[
							{
								text: 'Nothing was copied. `shoebox` lies in `~/.local/bin/shoebox`, one file and nothing else; `rm ~/.local/bin/shoebox` removes all of it. I can write a small script in the repository instead, say so if you want it.',
							},
						],
					],
				}),
			],
			deny: [
				[
					{
						thinking:
							'Refused, so without shoebox. Node alone can do that: copy recursively, then compare digests, which shoebox would not even do. The catalogue function is there already.',
					},
					{
						text: 'Understood, nothing from the web. Node can copy and compare by itself, and the project can list its photos already, so it takes no dependency at all.',
					},
					write('scripts/backup.js', script),
				],
				fork({
					allow: [
						[
							{
								text: `\`scripts/backup.js\` is there: it copies, then compares every photo by its SHA-256 and exits with 1 when one differs, so cron will tell you.

\`\`\`
15 3 * * *  cd ~/photo-archive && node scripts/backup.js photos backup
\`\`\`

Nothing was installed and nothing downloaded. I have not run it; \`backup/\` is in \`.gitignore\` already.`,
							},
						],
					],
					deny: [
						[
							{
								text: `Nothing was written. The heart of it, for you to add:

\`\`\`js
cpSync('photos', 'backup', { recursive: true })
for (const { name } of catalogue('photos'))
	if (digest(join('photos', name)) !== digest(join('backup', name))) fail(name)
\`\`\`

\`catalogue\` is the project's own function, and \`digest\` is \`createHash('sha256')\` over the file.`,
							},
						],
					],
				}),
			],
		}),
	],
}
