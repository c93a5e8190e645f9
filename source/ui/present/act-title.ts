import { type SafeText, safeText } from '../../text/safe-text.ts'
import type { DeviceAct } from '../../viewer/devices.ts'
import { deviceName } from './device-name.ts'

export function actTitle(act: DeviceAct): SafeText {
	switch (act.type) {
		case 'approve':
			return safeText`add a device`
		case 'revoke':
			return safeText`revoke ${deviceName(act.device.id, act.device.name)}`
		case 'recovery':
			return safeText`recovery key`
		case 'verify':
			return safeText`verify`
	}
}
