import { readFileSync } from 'node:fs'
import { totalsByMonth } from './report.js'

const expenses = JSON.parse(readFileSync(process.argv[2], 'utf8'))
for (const { month, cents } of totalsByMonth(expenses)) console.log(month, (cents / 100).toFixed(2))
