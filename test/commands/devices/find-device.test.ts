import { expect, test } from 'vitest'
import { findDevice } from '../../../source/commands/devices/find-device.ts'
import { StyrbyError } from '../../../source/protocol/errors.ts'

const device = (
	id: string,
	fingerprint: string,
	name: string | null,
	state: 'active' | 'revoked' = 'active',
) => ({ id, fingerprint, name, state })

const laptop = device('3f2a91c0-0000-4000-8000-000000000001', 'GMS9-MW5S-AHW4-JZBM-1Q4N', 'laptop')
const phone = device('3f2a91c1-0000-4000-8000-000000000002', '92EQ-5J02-1E60-TS2S-9QNK', 'phone')
const gone = device(
	'7b000000-0000-4000-8000-000000000003',
	'2S8H-9SWZ-BV1C-ZD1N-FVX9',
	'laptop',
	'revoked',
)
const nameless = device('8c000000-0000-4000-8000-000000000004', '20N3-VM8S-VPRC-PWHC-06JA', null)
const all = [laptop, phone, gone, nameless]

function refusal(text: string, devices = all): [string, number] {
	try {
		findDevice(devices, text)
	} catch (error) {
		if (error instanceof StyrbyError) return [error.code, error.exitCode]
		throw error
	}
	throw new Error(`found: ${text}`)
}

test.each([
	['its id', laptop.id, laptop],
	['its id in capitals', laptop.id.toUpperCase(), laptop],
	['the beginning of its id', '3f2a91c1', phone],
	['the beginning across a hyphen', '8c000000-00', nameless],
	['its fingerprint', 'GMS9-MW5S-AHW4-JZBM-1Q4N', laptop],
	['its fingerprint as typed', 'gms9mw5sahw4jzbm1q4n', laptop],
	['the first group of it', '20N3', nameless],
	['its name', 'phone', phone],
	['a name that a revoked one has too', 'laptop', laptop],
	['the id of one that was revoked', '7b00', gone],
])('%s', (_, text, expected) => {
	expect(findDevice(all, text)).toBe(expected)
})

test.each([
	['nobody', 'desktop', 'no_such_device', 1],
	['a name is not begun', 'phon', 'no_such_device', 1],
	['a name is in its own letters', 'Phone', 'no_such_device', 1],
	['too little of an id', '8c0', 'no_such_device', 1],
	['nothing at all', '', 'no_such_device', 1],
	['two ids', '3f2a', 'ambiguous_device', 2],
])('%s', (_, text, ...expected) => {
	expect(refusal(text)).toEqual(expected)
})

test('a device that takes the beginning of the id of another one for its name gains nothing', () => {
	const liar = device(
		'9d000000-0000-4000-8000-000000000005',
		'AAAA-AAAA-AAAA-AAAA-AAAA',
		'3f2a91c1',
	)
	expect(refusal('3f2a91c1', [...all, liar])).toEqual(['ambiguous_device', 2])
	const worse = { ...liar, name: phone.id }
	expect(findDevice([...all, worse], phone.id)).toBe(phone)
})
