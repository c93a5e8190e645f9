import { bash, edit, fork, read } from '../tools.js'

const fix = edit(
	'src/wind-chill.js',
	'	if (temperature > 10) return temperature',
	'	// The formula holds below 10 °C and from 4.8 km/h on; outside of that, air is felt as it is.\n	if (temperature > 10 || wind < 4.8) return temperature',
)

const afterFix = [
	[
		{ text: 'Now the same tests again, to see it.' },
		bash('npm test', 'Run the tests after the fix'),
	],
	fork({
		allow: [
			[
				{
					text: `All three tests pass.

**Cause.** The wind-chill formula is only defined from 4.8 km/h on. At 0 km/h it made a calm day of 2 °C feel like 14.4 °C.

**Change.** One condition in \`src/wind-chill.js\`; the station now reports the air temperature when there is next to no wind. Days on record with wind keep their values.`,
				},
			],
		],
		deny: [
			[
				{
					text: 'All right, no second run. The fix is in `src/wind-chill.js`: below 4.8 km/h the felt temperature is the air temperature. It is **not tested after the change**; `npm test` will show it.',
				},
			],
		],
	}),
]

const keepOut = [
	[
		{
			text: `I leave the file as it is. What I would change, for you to decide: in \`src/wind-chill.js\`

\`\`\`js
if (temperature > 10 || wind < 4.8) return temperature
\`\`\`

because the formula is not defined for less than 4.8 km/h. Nothing in the project was changed.`,
		},
	],
]

export default {
	name: 'wind-chill',
	title: 'A calm day feels like 14 °C',
	project: 'weather-station',
	branch: 'fix/wind-chill',
	startedMinutesAgo: 1,
	prompt: 'At 2 °C and no wind the station reports a felt temperature of 14.4 °C. Fix it.',
	reasons: {
		'': 'Leave the tests to the build; read the code instead.',
		allow: 'Do not change the formula yet, only tell me what you would change.',
		deny: 'Do not change the formula yet, only tell me what you would change.',
		'allow-allow': 'The build will run them.',
	},
	// Who is not there allows all of it: a test run, a small fix, the test run again.
	unattended: {},
	turns: [
		[
			{ text: 'Let me see the formula and its tests.' },
			read('src/wind-chill.js'),
			read('test/wind-chill.test.js'),
		],
		[
			{
				thinking:
					'There is a test for no wind already, so it should be failing right now. Confirm that before changing anything.',
			},
			{
				text: 'There is a test for exactly this case. I want to see it fail before I change anything.',
			},
			bash('npm test', 'Run the tests'),
		],
		fork({
			allow: [
				[
					{
						text: 'It fails just as reported: `14.4` instead of `2`. The formula has no term that vanishes without wind; it is only defined from **4.8 km/h** on. So the condition above it has to say that.',
					},
					fix,
				],
				fork({ allow: afterFix, deny: keepOut }),
			],
			deny: [
				[
					{
						text: 'Fine, without running anything. Reading it is enough here: with `wind = 0` the factor is 0, and what remains is `13.12 + 0.6215 × 2 = 14.4`. The formula is only defined from **4.8 km/h** on.',
					},
					fix,
				],
				fork({
					allow: [
						[
							{
								text: 'Changed: below 4.8 km/h the felt temperature is the air temperature. As you wished I ran nothing, so this is **not tested**; the existing test for no wind covers it.',
							},
						],
					],
					deny: keepOut,
				}),
			],
		}),
	],
}
