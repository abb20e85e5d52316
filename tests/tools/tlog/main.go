// Verifies a copy of the record, and proofs from it, with golang.org/x/mod/sumdb: an
// implementation of the tree, its tiles and signed notes that shares nothing with Keylend's.
//
//	tlog copy FOLDER VKEY [OLDER-CHECKPOINT...]
//	tlog proof FILE VKEY
//
// It prints what it has verified, or what is wrong and ends with status 1.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: tlog copy FOLDER VKEY [OLDER-CHECKPOINT...] | tlog proof FILE VKEY")
	}
	verifier, err := note.NewVerifier(args[2])
	if err != nil {
		return err
	}
	switch args[0] {
	case "copy":
		return verifyCopy(args[1], verifier, args[3:])
	case "proof":
		return verifyProof(args[1], verifier)
	}
	return fmt.Errorf("what is %q?", args[0])
}

// checkpoint opens a signed note and reads the tree's size and root.
func checkpoint(bytes []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(bytes, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// folder reads tiles where C2SP tlog-tiles has them: Go's own paths name the height too.
type folder string

func (f folder) Height() int { return height }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var read [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		read = append(read, bytes)
	}
	return read, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// memory keeps every hash of a tree.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var read []tlog.Hash
	for _, index := range indexes {
		if index >= int64(len(m)) {
			return nil, errors.New("no such hash")
		}
		read = append(read, m[index])
	}
	return read, nil
}

func verifyCopy(path string, verifier note.Verifier, older []string) error {
	bytes, err := os.ReadFile(filepath.Join(path, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := checkpoint(bytes, verifier)
	if err != nil {
		return err
	}
	tiles := tlog.TileHashReader(tree, folder(path))
	own, err := entries(path, tree, tiles)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(tree.N, own)
	if err != nil || root != tree.Hash {
		return fmt.Errorf("the entries are those of another tree (%v)", err)
	}
	for position := int64(0); position < tree.N; position += 1 + tree.N/50 {
		hashes, err := tiles.ReadHashes([]int64{tlog.StoredHashIndex(0, position)})
		if err != nil {
			return err
		}
		proof, err := tlog.ProveRecord(tree.N, position, tiles)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, position, hashes[0]); err != nil {
			return err
		}
	}
	for _, file := range older {
		if err := continues(tree, tiles, file, verifier); err != nil {
			return err
		}
	}
	fmt.Printf("%d entries, %d older checkpoints\n", tree.N, len(older))
	return nil
}

// continues verifies that a tree has grown from the one of an older checkpoint.
func continues(tree tlog.Tree, tiles tlog.HashReader, file string, verifier note.Verifier) error {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	old, err := checkpoint(bytes, verifier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tiles)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

// entries reads every entry, compares its hash with the one in the tiles, which the checkpoint
// vouches for, and gives all hashes of the tree that the entries make.
func entries(path string, tree tlog.Tree, tiles tlog.HashReader) (memory, error) {
	var own memory
	for first := int64(0); first < tree.N; first += 1 << height {
		width := tree.N - first
		if width > 1<<height {
			width = 1 << height
		}
		tile := tlog.Tile{H: height, L: 0, N: first >> height, W: int(width)}
		name := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			return nil, err
		}
		for position := first; position < first+width; position++ {
			if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
				return nil, fmt.Errorf("entry %d is cut off", position)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			leaf := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			signed, err := tiles.ReadHashes([]int64{tlog.StoredHashIndex(0, position)})
			if err != nil {
				return nil, err
			}
			if signed[0] != tlog.RecordHash(leaf) {
				return nil, fmt.Errorf("entry %d is not the one that was signed", position)
			}
			hashes, err := tlog.StoredHashes(position, leaf, own)
			if err != nil {
				return nil, err
			}
			own = append(own, hashes...)
		}
		if len(bundle) > 0 {
			return nil, fmt.Errorf("%s holds more than it should", name)
		}
	}
	return own, nil
}

// verifyProof verifies a file in the form of C2SP tlog-proof that holds its entry.
func verifyProof(file string, verifier note.Verifier) error {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(bytes), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof")
	}
	extra, isExtra := strings.CutPrefix(lines[1], "extra ")
	leaf, err := base64.StdEncoding.DecodeString(extra)
	if err != nil || !isExtra {
		return errors.New("the proof does not hold its entry")
	}
	position, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	tree, err := checkpoint([]byte(signed), verifier)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, position, tlog.RecordHash(leaf)); err != nil {
		return err
	}
	fmt.Printf("entry %d of %d: %s\n", position, tree.N, leaf)
	return nil
}
