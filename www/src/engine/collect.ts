/** The bytes of a stream as a Blob, which the browser keeps where it likes. */
export async function collect(stream: ReadableStream<Uint8Array>, type: string): Promise<Blob> {
  const parts: Blob[] = [];
  let held: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    held.push(new Uint8Array(chunk));
    bytes += chunk.length;
    if (bytes < 4 * 1024 * 1024) continue;
    parts.push(new Blob(held));
    held = [];
    bytes = 0;
  }
  return new Blob([...parts, ...held], { type });
}
