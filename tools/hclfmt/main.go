// Says which Terraform files are not laid out as `terraform fmt` lays them out: by hclwrite, the library that
// it uses itself. Debian has it: golang-go and golang-github-hashicorp-hcl-v2-dev.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run tools/hclfmt/main.go FILE...
//
// Exit status: 0 all are; 1 some are not, named on standard output; 2 a file cannot be read or parsed.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

func main() {
	status := 0
	for _, name := range os.Args[1:] {
		text, err := os.ReadFile(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if _, problems := hclwrite.ParseConfig(text, name, hcl.InitialPos); problems.HasErrors() {
			fmt.Fprintln(os.Stderr, problems)
			os.Exit(2)
		}
		if formatted := hclwrite.Format(text); !bytes.Equal(text, formatted) {
			fmt.Printf("%s is laid out as:\n%s", name, formatted)
			status = 1
		}
	}
	os.Exit(status)
}
