import { agentContract } from '../../tools/agent-contract.ts'
import { codexDriver } from '../../tools/contract-codex.ts'

agentContract(codexDriver, 'native')
