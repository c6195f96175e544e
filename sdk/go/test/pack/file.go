package main

import (
	"io"
	"os"
)

// file is a file of a module: its name there, and where it is.
type file struct {
	name, path string
}

// Path is the name in the module.
func (f file) Path() string { return f.name }

// Lstat describes the file.
func (f file) Lstat() (os.FileInfo, error) { return os.Lstat(f.path) }

// Open opens the file.
func (f file) Open() (io.ReadCloser, error) { return os.Open(f.path) }
