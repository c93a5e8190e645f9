export interface Risk {
	level: 'low' | 'medium' | 'high'
	reasons: readonly string[]
}
