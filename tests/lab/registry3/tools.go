//go:build tools

// Package tools says which registry of the third generation the tests build.
package tools

import _ "github.com/distribution/distribution/v3/cmd/registry"
