package byond

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// retryable returns the error of a call that may be sent again, and may then succeed; otherwise nil.
func retryable(err error, isRepeatable bool) *Error {
	var failure *Error
	if !errors.As(err, &failure) {
		return nil
	}
	switch failure.Code {
	case CodeUnavailable, CodeRateLimited, CodeIdempotencyInProgress:
		// The server says that nothing was done.
		return failure
	case CodeConnectionFailed, CodeInternal, CodeOutcomeUnknown:
		if isRepeatable {
			return failure
		}
	case CodeInvalidResponse:
		if isRepeatable && failure.Status >= 500 {
			return failure
		}
	}
	return nil
}

// pause is the time before a repetition: what the server asked for, or half a second that doubles, up to 8 seconds. Less or more by chance.
func pause(failure *Error, retries int) time.Duration {
	if failure.RetryAfter > 0 {
		chance := rand.N(250 * time.Millisecond)
		return min(failure.RetryAfter, math.MaxInt64-chance) + chance
	}
	backOff := min(500*time.Millisecond<<min(retries, 4), 8*time.Second)
	return backOff/2 + rand.N(backOff/2)
}

// sleep waits, unless the context is done before.
func sleep(ctx context.Context, duration time.Duration) error {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return contextFailure(ctx)
	}
}

// withRetries makes attempts until one succeeds, may not be repeated, or the next could not begin before the deadline.
func withRetries(ctx context.Context, isRepeatable bool, maxRetries int, attempt func() error) error {
	for retries := 0; ; retries++ {
		err := contextFailure(ctx)
		if err == nil {
			err = attempt()
		}
		if err == nil {
			return nil
		}
		if failure := contextFailure(ctx); failure != nil {
			return failure
		}
		failure := retryable(err, isRepeatable)
		if failure == nil || retries >= maxRetries {
			return err
		}
		duration := pause(failure, retries)
		if deadline, hasDeadline := ctx.Deadline(); hasDeadline && duration >= time.Until(deadline) {
			return err
		}
		if err := sleep(ctx, duration); err != nil {
			return err
		}
	}
}
