// Sums the test results in the given report files, and names what was skipped: in CI nothing may be. What passed
// only when it was tried again is named too: something is wrong with it, or it is slow.
import { readFileSync } from 'node:fs'

let passed = 0
let failed = 0
for (const file of process.argv.slice(2)) {
	const report = JSON.parse(readFileSync(file, 'utf8'))
	passed += report.numPassedTests
	failed += report.numFailedTests + report.numPendingTests
	for (const { assertionResults } of report.testResults) {
		for (const { status, fullName, failureMessages } of assertionResults) {
			if (status === 'pending' || status === 'skipped')
				process.stderr.write(`SKIPPED: ${fullName}\n`)
			if (status === 'passed' && failureMessages.length > 0)
				process.stderr.write(
					`PASSED ONLY AGAIN: ${fullName}\n  ${failureMessages[0].split('\n')[0]}\n`,
				)
		}
	}
}
process.stdout.write(`${passed} ${failed}\n`)
