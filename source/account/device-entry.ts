/** Where the vault keeps this device's secrets. */
export const deviceEntry = (vaultName: string) => `${vaultName}:device`
