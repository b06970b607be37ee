/** What a method does, for the trail to hear of refusals; what succeeds is told of in one transaction with it. */
export const refusalsOf = <Request>(action: string, nameIn: (request: Request) => string) => ({
  audit: {
    action,
    resource: (request: Request) => `//workspaceserver/${nameIn(request)}`,
    when: 'refused' as const,
  },
});

export const nameOf = ({ name }: { readonly name: string }): string => name;
