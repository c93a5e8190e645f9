/** Felt temperature in °C. `temperature` in °C, `wind` in km/h. */
export function windChill(temperature, wind) {
	if (temperature > 10) return temperature
	const factor = wind ** 0.16
	return round(13.12 + 0.6215 * temperature - 11.37 * factor + 0.3965 * temperature * factor)
}

const round = (value) => Math.round(value * 10) / 10
