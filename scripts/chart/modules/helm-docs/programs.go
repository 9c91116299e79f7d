//go:build tools

// Package programs names what is built, so that `go mod tidy` writes down everything that it needs.
package programs

import _ "github.com/norwoodj/helm-docs/cmd/helm-docs"
