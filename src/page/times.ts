const pad = (number: number, digits = 2) => String(number).padStart(digits, "0");

/** The time of day where the reader is, as `15:04:05.678`. */
export function clockTime(ms: number): string {
  const date = new Date(ms);
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => pad(part));
  return `${time.join(":")}.${pad(date.getMilliseconds(), 3)}`;
}

/** The same without milliseconds, with the day unless it is today. */
export function dayAndTime(ms: number): string {
  const date = new Date(ms);
  const time = clockTime(ms).slice(0, "15:04:05".length);
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}

/** As `0.4 s`, `12 s`, `1 min 05 s`, `3 h 20 min`, `2 d 4 h`. */
export function durationInWords(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 10) return `${(Math.floor(Math.max(0, ms) / 100) / 10).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${pad(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** As `512 bytes`, `4.2 KiB`, `12.0 MiB`. */
export function bytesInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? "byte" : "bytes"}`;
  const power = bytes < 1024 ** 2 ? 1 : bytes < 1024 ** 3 ? 2 : 3;
  return `${(bytes / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB"][power]}`;
}
