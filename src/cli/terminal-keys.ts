const CTRL_C = '\u0003';
const CTRL_Z = '\u001a';

/**
 * Reads keys from the terminal that standard input is, without waiting for Enter. Ctrl-C and Ctrl-Z keep their meaning.
 *
 * @returns A function that stops the reading and restores the terminal.
 */
export function readTerminalKeys(listener: (key: string) => void): () => void {
  const { stdin } = process;
  const onData = (data: Buffer | string) => {
    const key = data.toString();
    if (key === CTRL_C) process.kill(process.pid, 'SIGINT');
    else if (key === CTRL_Z) suspend();
    else listener(key);
  };
  stdin.setRawMode(true);
  stdin.on('data', onData);
  return () => {
    stdin.off('data', onData);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

function suspend(): void {
  process.stdin.setRawMode(false);
  process.once('SIGCONT', () => process.stdin.setRawMode(true));
  process.kill(process.pid, 'SIGTSTP');
}
