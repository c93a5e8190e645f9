import { agentContract } from '../../tools/agent-contract.ts'
import { opencodeDriver } from '../../tools/contract-opencode.ts'

agentContract(opencodeDriver, 'headless')
