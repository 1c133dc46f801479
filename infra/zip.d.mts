export function zipOf(name: string, content: Buffer): Buffer;
