package byond

// Ptr returns a pointer to a value, for optional parameters:
//
//	&byond.VerifyStartParams{Brand: byond.Ptr("Acme"), CodeLength: byond.Ptr(8)}
func Ptr[T any](value T) *T {
	return &value
}
