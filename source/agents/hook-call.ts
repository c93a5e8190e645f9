/** A hook of an agent that waits for its answer. */
export interface HookCall {
	body: string
	/** Ends the call. Empty: no opinion, the agent goes on as without us. `false`: nobody listens any more. */
	respond(body: string): Promise<boolean>
	/** Calls once, when the agent hangs up, or has hung up, before it was answered. */
	onHangUp(listener: () => void): void
}
