// Sums the test results in the given report files, and names what was skipped: in CI nothing may be.
import { readFileSync } from 'node:fs'

let passed = 0
let failed = 0
for (const file of process.argv.slice(2)) {
	const report = JSON.parse(readFileSync(file, 'utf8'))
	passed += report.numPassedTests
	failed += report.numFailedTests + report.numPendingTests
	for (const { assertionResults } of report.testResults) {
		for (const { status, fullName } of assertionResults) {
			if (status === 'pending' || status === 'skipped')
				process.stderr.write(`SKIPPED: ${fullName}\n`)
		}
	}
}
process.stdout.write(`${passed} ${failed}\n`)
