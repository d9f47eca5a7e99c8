// Reads a checkpoint and proofs of a Freehold ledger with the libraries of Go's own checksum database.
//
// Input, JSON: {"key", "note", "old_note", "leaf", "index", "inclusion", "consistency"}; bytes in base64.
// Output: one line for whatever was verified; exit code 1 and a line for the first thing that was not.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Key         string   `json:"key"`
	Note        string   `json:"note"`
	OldNote     string   `json:"old_note"`
	Leaf        []byte   `json:"leaf"`
	Index       int64    `json:"index"`
	Inclusion   [][]byte `json:"inclusion"`
	Consistency [][]byte `json:"consistency"`
}

func fail(what string, err error) {
	fmt.Printf("%s: %v\n", what, err)
	os.Exit(1)
}

func hashes(all [][]byte) []tlog.Hash {
	found := make([]tlog.Hash, len(all))
	for i, each := range all {
		copy(found[i][:], each)
	}
	return found
}

func open(text string, verifier note.Verifier) tlog.Tree {
	signed, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		fail("note", err)
	}
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("size", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		fail("root", err)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

func main() {
	var given input
	decoder := json.NewDecoder(bytes.NewReader(must(os.ReadFile(os.Args[1]))))
	if err := decoder.Decode(&given); err != nil {
		fail("input", err)
	}
	verifier, err := note.NewVerifier(given.Key)
	if err != nil {
		fail("key", err)
	}
	now, before := open(given.Note, verifier), open(given.OldNote, verifier)
	fmt.Println("checkpoints are signed")
	leaf := tlog.RecordHash(given.Leaf)
	if err := tlog.CheckRecord(hashes(given.Inclusion), now.N, now.Hash, given.Index, leaf); err != nil {
		fail("inclusion", err)
	}
	fmt.Println("the leaf is included")
	if err := tlog.CheckTree(hashes(given.Consistency), now.N, now.Hash, before.N, before.Hash); err != nil {
		fail("consistency", err)
	}
	fmt.Println("the log grew")
}

func must(data []byte, err error) []byte {
	if err != nil {
		fail("file", err)
	}
	return data
}
