// Accounts come compressed. The decoder is WebAssembly of its own, loaded beside the page.
import type { ZSTDDecoder } from 'zstddec';

let decoder: ZSTDDecoder | undefined;

/** Loads the decoder; has to have ended before anything is decompressed. */
export async function prepareZstd(): Promise<void> {
  if (decoder) return;
  const { ZSTDDecoder: Decoder } = await import('zstddec');
  const made = new Decoder();
  await made.init();
  decoder = made;
}

/** The `size` bytes that were compressed. */
export function decompress(bytes: Uint8Array, size: number): Uint8Array {
  if (!decoder) throw new Error('the decoder is not loaded yet');
  const data = decoder.decode(bytes, size);
  if (data.length !== size) throw new Error(`an account of ${size} bytes came as ${data.length}`);
  return data;
}
