/** Of the operator's routes. */
export const usersPath = '/internal/identity/users';
