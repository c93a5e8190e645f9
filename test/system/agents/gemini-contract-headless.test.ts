import { agentContract } from '../../tools/agent-contract.ts'
import { geminiDriver } from '../../tools/contract-gemini.ts'

agentContract(geminiDriver, 'headless')
