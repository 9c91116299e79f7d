// Prints what is being said, read straight from Kafka with kafkajs: docs/consuming.md has the rules.
//
//     npm install kafkajs @kafkajs/confluent-schema-registry
//     node live_transcript.mjs --brokers localhost:9092 --registry http://localhost:8081
//
// Without --session it prints all sessions, for ever; with it that session from its first word to its last, and ends.

import { parseArgs } from "node:util";
import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";
import { Kafka, logLevel } from "kafkajs";

const { values: asked } = parseArgs({
  options: {
    brokers: { type: "string", default: "localhost:9092" },
    registry: { type: "string", default: "http://localhost:8081" },
    group: { type: "string", default: "live-transcript-example" }, // its place is kept under this name
    session: { type: "string" },
  },
});

const registry = new SchemaRegistry({ host: asked.registry });
const kafka = new Kafka({ brokers: asked.brokers.split(","), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: asked.group, readUncommitted: false });
const newest = new Map();

/** Prints what a record says; false after the last one of the session that is wanted. */
async function take(key, value) {
  const [session, item] = key.split("|");
  if (asked.session && asked.session !== session) return true;
  if (value === null) {
    console.log(`${session} ${item} deleted`);
    return true;
  }
  const utterance = await registry.decode(value);
  if (utterance.kind === "end") {
    console.log(`${session} end`);
    return !asked.session;
  }
  if (utterance.kind !== "item" || utterance.status !== "final") return true; // a kind of a later release: pass over
  if (utterance.revision <= (newest.get(utterance.utterance_id) ?? 0)) return true; // written again after a crash
  newest.set(utterance.utterance_id, utterance.revision);
  console.log(`${session} ${utterance.participant_name ?? "?"}: ${utterance.text}`);
  return true;
}

await consumer.connect();
await consumer.subscribe({ topics: ["transcripts"], fromBeginning: true }); // of a group that has no place yet
await new Promise((over, failed) => {
  consumer.on("consumer.crash", ({ payload }) => payload.restart || failed(payload.error));
  consumer.run({
    // A place is kept after the work, so that what was not worked on is read again.
    eachMessage: async ({ message }) => {
      if (!(await take(message.key.toString(), message.value))) over();
    },
  });
});
await consumer.disconnect();
