/** The version of Haic: of its services, and of the command line that it offers for download. */
export const haicVersion = '0.1.0';
