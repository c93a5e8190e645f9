import { agentContract } from '../../tools/agent-contract.ts'
import { geminiNativeDriver } from '../../tools/contract-gemini.ts'

agentContract(geminiNativeDriver, 'native')
