// Status names of the old mobile app.
export const legacyStatus = { collected: 1, moving: 2, delivered: 3 }
