import { bash, read } from '../tools.js'

export default {
	name: 'job-twice',
	title: 'When can a job run twice?',
	project: 'queue-worker',
	branch: 'main',
	startedMinutesAgo: 187,
	prompt:
		'How do leases and retries in the queue work together, and when exactly can a job run twice? Just explain, change nothing.',
	answers: [],
	turns: [
		[
			{ text: "I'll read the queue and the backoff." },
			read('src/queue.js'),
			read('src/backoff.js'),
			bash('grep -rn "lease(" --include=*.js .', 'See who leases jobs'),
		],
		[
			{
				thinking:
					'Lease is 30 s and never extended. settle() does not check that the caller still holds the lease. So: a job slower than 30 s is leased again by another worker (run twice, at the same time). Then the slow first worker settles: success removes it; jobs.indexOf returns -1 if the other one already removed it, and splice(-1, 1) removes the LAST job of the queue. That is a real bug, worth telling first. Attempts: incremented at lease, so a crash counts as an attempt; after 5 leases with an error it is failed; but a crash never calls settle, so a job that kills its worker is leased forever.',
			},
			{
				text: `Short answer: **whenever a job takes longer than its 30 s lease**, and after every crash. Delivery is *at least once*, and there is one place where it goes wrong beyond that.

## How it works

A worker *leases* the first job that is due and whose lease has run out. The lease is never extended. When the job ends, \`settle\` removes it, plans a retry or gives up.

| what happens | attempts | runs again after |
| --- | --- | --- |
| success | – | never, it is removed |
| error, 1st time | 1 | 2.0 – 2.4 s |
| error, 2nd time | 2 | 4.0 – 4.8 s |
| error, 3rd time | 3 | 8.0 – 9.6 s |
| error, 4th time | 4 | 16.0 – 19.2 s |
| error, 5th time | 5 | never, marked *failed* |
| worker crashes | +1 | when the lease ends, at most 30 s |
| job takes longer than 30 s | +1 | **at once, while the first run goes on** |

The 60 s cap in \`backoff.js\` is never reached: with five attempts the longest pause is 19.2 s.

## Two things I would call bugs

1. **A slow job can delete a different one.** If both runs of a job succeed, the second \`settle\` does not find it any more, \`indexOf\` gives \`-1\`, and

   \`\`\`js
   jobs.splice(jobs.indexOf(job), 1)   // splice(-1, 1): removes the last job of the queue
   \`\`\`

   throws away a job that nobody ran.
2. **A job that kills its worker is tried for ever.** The limit of five is checked in \`settle\` only, which a crashed worker never reaches.

## What I would change

\`\`\`js
export function settle(jobs, job, lease, error, now) {
	const at = jobs.indexOf(job)
	if (at === -1 || job.leasedUntil !== lease) return 'lost'   // someone else has it now
	…
}
\`\`\`

together with an \`extend(job, now)\` that long jobs call, and the limit of attempts checked in \`lease\`. Until then, jobs have to be safe to run twice, and shorter than 30 s. I changed nothing.`,
			},
		],
	],
}
