// Runs the Go reference on each case given as an argument (a folder with low/, high/, oci.json and names.json) and prints
// what it made of it, one JSON object a line.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/container-orchestrated-devices/container-device-interface/pkg/cdi"
	oci "github.com/opencontainers/runtime-spec/specs-go"
)

type outcome struct {
	Panicked   bool      `json:"panicked,omitempty"`
	Devices    []string  `json:"devices"`
	BadFiles   []string  `json:"badFiles"`
	Unresolved []string  `json:"unresolved,omitempty"`
	Failed     bool      `json:"failed,omitempty"`
	Spec       *oci.Spec `json:"spec,omitempty"`
}

func run(folder string) (result outcome) {
	defer func() {
		if recover() != nil {
			result = outcome{Panicked: true}
		}
	}()
	cache, _ := cdi.NewCache(cdi.WithSpecDirs(folder+"/low", folder+"/high"), cdi.WithAutoRefresh(false))
	result.Devices = cache.ListDevices()
	for file := range cache.GetErrors() {
		relative, _ := filepath.Rel(folder, file)
		result.BadFiles = append(result.BadFiles, relative)
	}
	sort.Strings(result.BadFiles)

	var names []string
	spec := &oci.Spec{}
	read(folder+"/names.json", &names)
	read(folder+"/oci.json", spec)
	unresolved, err := cache.InjectDevices(spec, names...)
	if err != nil {
		result.Unresolved, result.Failed = unresolved, true
		return result
	}
	result.Spec = spec
	return result
}

func read(file string, value interface{}) {
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, value)
	}
	if err != nil {
		panic(err)
	}
}

func main() {
	for _, folder := range os.Args[1:] {
		line, err := json.Marshal(run(folder))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}
