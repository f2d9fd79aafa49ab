/** The version of this package, the same as that of the module. */
export const version: string = "0.1.0";
