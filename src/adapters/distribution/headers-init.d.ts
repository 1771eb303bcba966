// Connect's typings name this DOM type, which @types/node lacks; without it those arguments are `any`.
type HeadersInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;
