// Microsoft's own clients, for the tests: node official.mjs COMMAND ARGUMENTS, credentials in AZURE_STORAGE_CONNECTION_STRING.
//   upload CONTAINER NAME FILE     prints {"etag"}
//   read CONTAINER NAME            prints {"etag", "contentType", "metadata", "text"}
//   peek QUEUE                     prints the visible messages, decoded
import { readFile } from "node:fs/promises";
import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";

const credentials = process.env.AZURE_STORAGE_CONNECTION_STRING;
const blobs = () => BlobServiceClient.fromConnectionString(credentials);

const commands = {
  async upload(container, name, file) {
    const content = await readFile(file);
    const done = await blobs().getContainerClient(container).getBlockBlobClient(name)
      .uploadData(content, { blobHTTPHeaders: { blobContentType: "text/csv" } });
    return { etag: done.etag };
  },
  async read(container, name) {
    const blob = blobs().getContainerClient(container).getBlobClient(name);
    const properties = await blob.getProperties();
    return { etag: properties.etag, contentType: properties.contentType, metadata: properties.metadata,
             text: (await blob.downloadToBuffer()).toString() };
  },
  async peek(queue) {
    const answer = await QueueServiceClient.fromConnectionString(credentials).getQueueClient(queue)
      .peekMessages({ numberOfMessages: 32 });
    return answer.peekedMessageItems.map((item) => Buffer.from(item.messageText, "base64").toString());
  },
};

const [command, ...rest] = process.argv.slice(2);
console.log(JSON.stringify(await commands[command](...rest)));
