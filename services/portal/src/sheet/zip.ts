// Stands in for fflate's own functions of these names (see vite.config.mjs): those make workers out
// of text for anything large, which the content policy refuses. Bounded, for a small file may
// unpack to gigabytes.
import { unzipSync, zipSync, type AsyncZippable, type UnzipCallback, type Zippable } from 'fflate/browser';

export * from 'fflate/browser';

const UNPACKED_BYTES_MAX = 256 * 1024 * 1024;

export function unzip(archive: Uint8Array, done: UnzipCallback): void {
  try {
    let total = 0;
    const files = unzipSync(archive, {
      filter: ({ name, originalSize }) => {
        if (!/\.(xml|rels)$/.test(name)) return false;
        total += originalSize;
        if (total > UNPACKED_BYTES_MAX) throw new Error('too large when unpacked');
        return true;
      },
    });
    done(null, files);
  } catch (cause) {
    done(Object.assign(cause instanceof Error ? cause : new Error(String(cause)), { code: -1 }), {});
  }
}

export function zip(files: AsyncZippable, done: (error: null, archive: Uint8Array) => void): void {
  done(null, zipSync(files as Zippable));
}
