//! Processor time, by the kernel's account. Linux counts it in hundredths of a second.

use super::Outcome;
use super::stub::THREADS;
use std::time::Duration;

/// Of the process or thread whose `stat` this is.
pub fn of(stat: &str) -> Outcome<Duration> {
    Ok(read(stat)?.1)
}

/// Of this process, without a stub that runs apart.
pub fn here() -> Outcome<Duration> {
    let mut time = of("/proc/self/stat")?;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let stat = thread?.path().join("stat");
        // A thread may end at any moment.
        if let Ok((name, its)) = read(&stat.to_string_lossy())
            && name == THREADS
        {
            time = time.saturating_sub(its);
        }
    }
    Ok(time)
}

/// The name, and user and system time together (proc_pid_stat(5)).
fn read(stat: &str) -> Outcome<(String, Duration)> {
    let line = std::fs::read_to_string(stat)?;
    let (head, figures) = line.rsplit_once(") ").ok_or("no stat")?;
    let name = head.split_once('(').ok_or("no name")?.1.to_owned();
    let mut figures = figures.split(' ').skip(11);
    let mut next = || -> Outcome<u64> { Ok(figures.next().ok_or("no time")?.parse()?) };
    Ok((name, Duration::from_millis(10 * (next()? + next()?))))
}
