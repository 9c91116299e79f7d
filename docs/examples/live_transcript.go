// Prints what is being said, read straight from Kafka with franz-go: docs/consuming.md has the rules.
//
//	go mod init example && go mod tidy
//	go run live_transcript.go --brokers localhost:9092 --registry http://localhost:8081
//
// Without --session it prints all sessions, for ever; with it that session from its first word to its last, and ends.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	brokers  = flag.String("brokers", "localhost:9092", "")
	registry = flag.String("registry", "http://localhost:8081", "")
	group    = flag.String("group", "live-transcript-example", "who reads: its place is kept under this name")
	session  = flag.String("session", "", "an app_… id; others are passed over")
)

type utterance struct {
	Kind            string  `avro:"kind"`
	UtteranceID     string  `avro:"utterance_id"`
	Revision        int32   `avro:"revision"`
	Status          string  `avro:"status"`
	ParticipantName *string `avro:"participant_name"`
	Text            string  `avro:"text"`
}

var (
	schemas = map[uint32]avro.Schema{}
	newest  = map[string]int32{}
)

// schema is the one that a value was written with; the registry knows it by its id.
func schema(id uint32) (avro.Schema, error) {
	if known, ok := schemas[id]; ok {
		return known, nil
	}
	answer, err := http.Get(fmt.Sprintf("%s/schemas/ids/%d", *registry, id))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var document struct{ Schema string }
	if err := json.NewDecoder(answer.Body).Decode(&document); err != nil {
		return nil, err
	}
	schemas[id], err = avro.Parse(document.Schema)
	return schemas[id], err
}

// take prints what a record says; false after the last one of the session that is wanted.
func take(record *kgo.Record) (bool, error) {
	name, item, _ := strings.Cut(string(record.Key), "|")
	if *session != "" && *session != name {
		return true, nil
	}
	if record.Value == nil {
		fmt.Println(name, item, "deleted")
		return true, nil
	}
	if len(record.Value) < 5 || record.Value[0] != 0 {
		return false, fmt.Errorf("not in Confluent's wire format")
	}
	written, err := schema(binary.BigEndian.Uint32(record.Value[1:5]))
	if err != nil {
		return false, err
	}
	var said utterance
	if err := avro.Unmarshal(written, record.Value[5:], &said); err != nil {
		return false, err
	}
	if said.Kind == "end" {
		fmt.Println(name, "end")
		return *session == "", nil
	}
	if said.Kind != "item" || said.Status != "final" || said.Revision <= newest[said.UtteranceID] {
		return true, nil // a kind of a later release, or written again after a crash
	}
	newest[said.UtteranceID] = said.Revision
	who := "?"
	if said.ParticipantName != nil {
		who = *said.ParticipantName
	}
	fmt.Printf("%s %s: %s\n", name, who, said.Text)
	return true, nil
}

func main() {
	flag.Parse()
	ctx := context.Background()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(*brokers, ",")...),
		kgo.ConsumerGroup(*group),
		kgo.ConsumeTopics("transcripts"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), // of a group that has no place yet
		kgo.DisableAutoCommit(),                           // what was not worked on is read again
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for goesOn := true; goesOn; {
		fetches := client.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			log.Fatal(errs[0].Err)
		}
		for records := fetches.RecordIter(); goesOn && !records.Done(); {
			if goesOn, err = take(records.Next()); err != nil {
				log.Fatal(err)
			}
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil { // after the work
			log.Fatal(err)
		}
	}
}
