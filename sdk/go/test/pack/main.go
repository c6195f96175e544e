// Command pack builds the modules of this SDK as the proxies of Go serve them: go run ./pack <folder>. With GOPROXY=file://<folder>, and then
// another proxy for what they need, a project gets them as if they had been published.
package main

import (
	"encoding/json"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/byond/byond-go"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const root = "github.com/byond/byond-go"

func main() {
	version := "v" + byond.Version
	for _, one := range []struct{ path, folder string }{
		{root, ".."},
		{root + "/byondgrpc", "../byondgrpc"},
	} {
		folder := filepath.Join(os.Args[1], filepath.FromSlash(one.path), "@v")
		if err := pack(module.Version{Path: one.path, Version: version}, one.folder, folder); err != nil {
			log.Fatal(err)
		}
	}
}

// pack writes the files of a module with one version.
func pack(version module.Version, source, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	definition, err := os.ReadFile(filepath.Join(source, "go.mod"))
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version.Version, "Time": time.Now().UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list":                    []byte(version.Version + "\n"),
		version.Version + ".mod":  definition,
		version.Version + ".info": info,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	files, err := filesOf(source)
	if err != nil {
		return err
	}
	archive, err := os.Create(filepath.Join(folder, version.Version+".zip"))
	if err != nil {
		return err
	}
	defer archive.Close()
	return zip.Create(archive, version, files)
}

// filesOf are those that belong to the module of a folder, not to one below it, and the licence, which is that of the repository.
func filesOf(source string) ([]zip.File, error) {
	checked, err := zip.CheckDir(source)
	if err != nil {
		return nil, err
	}
	files := []zip.File{file{"LICENSE", "../../../LICENSE"}}
	for _, path := range checked.Valid {
		name, err := filepath.Rel(source, path)
		if err != nil {
			return nil, err
		}
		files = append(files, file{filepath.ToSlash(name), path})
	}
	return files, nil
}
