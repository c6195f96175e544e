package byond

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"time"
)

// silenceLimit: the server sends a heartbeat every ten seconds. A connection that is silent for longer than this is dead.
const silenceLimit = 30 * time.Second

// Stream is a stream of results. It is opened when somebody begins to read, and goes on where it was when its connection is lost: each
// result comes once. It is read by one goroutine.
//
//	stream := client.Events.Stream(ctx, &byond.EventsStreamParams{After: byond.Ptr(lastSeen)})
//	for event, err := range stream.All() {
//		if err != nil {
//			return err
//		}
//		handle(event)
//	}
type Stream[Result any] struct {
	ctx         context.Context
	transport   Transport
	attempt     *Attempt
	config      callConfig
	resumeAfter string
}

// ResumeAfter tells where to go on after what was read so far, also in another process: the parameter After. Empty before anything was
// read.
func (s *Stream[Result]) ResumeAfter() string {
	return s.resumeAfter
}

// All goes through the results. The loop ends when you leave it, and after an error: when the context is done, or when repeating does not
// help. Another loop goes on where the last one was left.
func (s *Stream[Result]) All() iter.Seq2[*Result, error] {
	return func(yield func(*Result, error) bool) {
		for failures := 0; ; failures++ {
			hasMessages, err := s.read(yield)
			if err == nil {
				return
			}
			if hasMessages {
				failures = 0
			}
			if err = s.recover(err, failures); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// recover waits until the stream can be opened again. It returns the error of a stream that has ended.
func (s *Stream[Result]) recover(err error, failures int) error {
	if failure := contextFailure(s.ctx); failure != nil {
		return failure
	}
	failure := retryable(err, true)
	if timeout := (*Error)(nil); errors.As(err, &timeout) && timeout.Code == CodeTimedOut {
		failure = timeout
	}
	if failure == nil || failures >= s.config.maxRetries {
		return err
	}
	return sleep(s.ctx, pause(failure, failures))
}

// read reads one connection until it fails. It returns no error if the reader has left.
func (s *Stream[Result]) read(yield func(*Result, error) bool) (hasMessages bool, err error) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	messages, err := s.open(ctx, cancel)
	if err != nil {
		return false, err
	}
	defer messages.Close()
	silent := &Error{Code: CodeConnectionFailed, Message: fmt.Sprintf("nothing came for %v", silenceLimit)}
	silence := time.AfterFunc(silenceLimit, func() { cancel(silent) })
	defer silence.Stop()
	for {
		message, err := messages.Next()
		// The time that the reader takes is not the connection's silence.
		silence.Stop()
		if err != nil {
			return hasMessages, connectionFailure(ctx, err)
		}
		hasMessages = true
		if message.ResumeAfter != "" {
			// Before the result is handed out: whoever handles it may ask where to go on.
			s.resumeAfter = message.ResumeAfter
		}
		if message.Result != nil {
			result, err := decode[Result](message.Result)
			if err != nil {
				return hasMessages, err
			}
			if !yield(result, nil) {
				return hasMessages, nil
			}
		}
		silence.Reset(silenceLimit)
	}
}

// open opens a connection, which lives as long as its context, but must be open before the timeout.
func (s *Stream[Result]) open(ctx context.Context, cancel context.CancelCauseFunc) (Messages, error) {
	attempt := *s.attempt
	if s.resumeAfter != "" {
		attempt.Header = attempt.Header.Clone()
		attempt.Header.Set("Last-Event-ID", s.resumeAfter)
		attempt.Parameters = maps.Clone(attempt.Parameters)
		attempt.Parameters[attempt.Operation.ResumeParameter] = s.resumeAfter
	}
	if timeout := s.config.timeout; timeout > 0 {
		tooLate := timedOut(fmt.Sprintf("the stream was not open after %v", timeout))
		opening := time.AfterFunc(timeout, func() { cancel(tooLate) })
		defer opening.Stop()
	}
	messages, err := s.transport.Stream(ctx, &attempt)
	if err != nil {
		return nil, connectionFailure(ctx, err)
	}
	return messages, nil
}

func connectionFailure(ctx context.Context, err error) error {
	if failure := contextFailure(ctx); failure != nil {
		return failure
	}
	if errors.Is(err, io.EOF) {
		return &Error{Code: CodeConnectionFailed, Message: "the server ended the stream", cause: err}
	}
	return err
}
