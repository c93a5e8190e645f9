import { agentContract } from '../../tools/agent-contract.ts'
import { claudeDriver } from '../../tools/contract-claude.ts'

agentContract(claudeDriver, 'headless')
