import { delayFor } from './backoff.js'

/** Takes the next job that is due, and leases it to this worker. */
export function lease(jobs, now, leaseMs = 30_000) {
	const job = jobs.find((each) => each.runAt <= now && (each.leasedUntil ?? 0) <= now)
	if (!job) return null
	job.leasedUntil = now + leaseMs
	job.attempts += 1
	return job
}

export function settle(jobs, job, error, now) {
	if (!error) {
		jobs.splice(jobs.indexOf(job), 1)
		return 'done'
	}
	if (job.attempts >= 5) {
		job.failed = true
		job.runAt = Number.POSITIVE_INFINITY
		return 'failed'
	}
	job.runAt = now + delayFor(job.attempts)
	job.leasedUntil = 0
	return 'retry'
}
