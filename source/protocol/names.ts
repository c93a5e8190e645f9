/** The words of the protocol that more than the protocol needs; nothing is loaded with them. */

export const sessionStatuses = ['starting', 'running', 'idle', 'stopped', 'error'] as const
export type SessionStatus = (typeof sessionStatuses)[number]

export const agentNames = ['claude', 'codex', 'gemini', 'opencode', 'aider'] as const
export type AgentName = (typeof agentNames)[number]

/** Bare results that the server may see. */
export const requestStatuses = ['pending', 'approved', 'denied', 'expired', 'cancelled'] as const
export type RequestStatus = (typeof requestStatuses)[number]
