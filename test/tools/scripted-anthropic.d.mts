export type Block =
	| { text: string }
	| { thinking: string }
	| { tool: string; input?: unknown; id?: string }
	| { error: { status?: number; type: string; message: string; headers?: Record<string, string> } }
	| { drop: true }
	| { hang: true }

export interface Turn {
	blocks: Block[]
	usage?: Record<string, unknown>
	stop_reason?: string
	delayMs?: number
	chunkDelayMs?: number
}

export interface Script {
	rules?: { match: string; turns: (Turn | Block[])[] }[]
	fallback?: string
}

export interface ScriptedAnthropic {
	port: number
	url: string
	requests: { t: number; path: string; status?: number; picked?: string; body?: unknown }[]
	setScript(script: Script): void
	close(): Promise<void>
}

export function startScriptedAnthropic(options?: {
	port?: number
	script?: Script
	vars?: Record<string, string>
	logFile?: string
	keepBodies?: boolean
}): Promise<ScriptedAnthropic>
