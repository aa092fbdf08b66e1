#!/usr/bin/env python3
"""Works out tests/store/due_times/due_times.txt: the next five due times of many patterns in many time zones.

It shares nothing with the product. Zones are read by Python's zoneinfo, from the files in zones/ beside it. A pattern is
expanded to sets of numbers, and every minute of every day that fits is tried, one after the other. What becomes of a
minute is the task model's sentence, taken literally:

  a time that does not exist fires at the next that does   go on second by second until one exists
  one that occurs twice fires once                         take it with fold=0, the first; the same instant counts once

  python3 tests/store/due_times/make_due_times.py          writes due_times.txt

The zone files were made with `zic -b slim` from tzdata 2025b, so that the test does not change with the machine's and
most times are found by the rule in a file's footer.
"""
import calendar
import datetime as dt
import pathlib
import zoneinfo

HERE = pathlib.Path(__file__).parent
UTC = dt.timezone.utc
SECOND = dt.timedelta(seconds=1)
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
DAYS = "SUN MON TUE WED THU FRI SAT".split()
MACROS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
          "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *"}


def numbers(field, least, most, names=(), first_name=0):
    """The numbers a field allows; "L" and numbers with an L as they are."""
    for i, name in enumerate(names):
        field = field.upper().replace(name, str(i + first_name))
    out = set()
    for item in field.split(","):
        base, _, step = item.partition("/")
        if base.endswith("L"):
            out.add(base)
            continue
        if base in "*?":
            begin, end = least, most
        elif "-" in base:
            begin, end = map(int, base.split("-"))
        else:
            begin, end = int(base), most if step else int(base)
        out.update(range(begin, end + 1, int(step or 1)))
    return out


class Pattern:
    def __init__(self, text):
        minute, hour, day, month, weekday = MACROS.get(text, text).split()
        self.minutes = numbers(minute, 0, 59)
        self.hours = numbers(hour, 0, 23)
        self.days = numbers(day, 1, 31)
        self.months = numbers(month, 1, 12, MONTHS, 1)
        self.weekdays = numbers(weekday, 0, 7, DAYS)
        self.any_day = day in "*?"
        self.any_weekday = weekday in "*?"

    def fits_day(self, date):
        if date.month not in self.months:
            return False
        last = calendar.monthrange(date.year, date.month)[1]
        by_day = date.day in self.days or ("L" in self.days and date.day == last)
        weekday = date.isoweekday() % 7
        by_weekday = any(
            (name in self.weekdays) or (date.day + 7 > last and f"{name}L" in self.weekdays)
            for name in ((0, 7) if weekday == 0 else (weekday,)))
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday

    def local_times(self, date):
        """Every minute, from the day of `date` on, that fits."""
        while True:
            if self.fits_day(date):
                for minute in range(24 * 60):
                    if minute // 60 in self.hours and minute % 60 in self.minutes:
                        yield dt.datetime.combine(date, dt.time(minute // 60, minute % 60))
            date += dt.timedelta(days=1)


def instant(local, zone):
    """When clocks show `local`, or the next time that they do show."""
    while True:
        first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if first.astimezone(zone).replace(tzinfo=None) == local:
            return first
        local += SECOND


def due_times(pattern, zone, after, count=5):
    found = []
    begin = after.astimezone(zone).date() - dt.timedelta(days=2)
    for local in Pattern(pattern).local_times(begin):
        at = instant(local, zone)
        if at > after and at not in found:
            found.append(at)
            # Two days more than needed, should times not come in order.
            if len(found) > count and at > sorted(found)[count - 1] + dt.timedelta(days=2):
                break
            if len(found) > 300:
                break
    return sorted(found)[:count]


# Zone, what happens there, an instant shortly before, patterns.
AROUND = [
    ("UTC", "nothing", "2026-01-30T23:58", ["* * * * *", "*/5 * * * *", "0 0 * * *", "@hourly", "@daily", "@midnight",
                                             "@weekly", "@monthly", "@yearly", "@annually", "0 0 L * *", "0 0 1,15,L * *",
                                             "30 9 * * MON-FRI", "0 12 * * 5L", "0 12 * * FRIL", "0 12 * * 1,3L",
                                             "0 0 13 * FRI", "0 0 13 * 5L", "0 0 */10 * MON", "0 0 L * SUNL",
                                             "0 0 31 * *", "0 0 30 * *", "0 0 29 * *", "0 0 29,30,31 2,4 *",
                                             "15,45 8-10,20 * * *", "7/20 */6 ? ? ?", "59 23 31 12 *", "0 0 1 JAN,jul *",
                                             "0 0 * * 7", "0 0 * * 0", "0 0 * * 6-7", "0 22 * 3-5 tue-thu/2",
                                             "1-10/3 0 * * *", "0 0-4/2 5 5 ?", "0 0 * 2 0L"]),
    ("UTC", "a leap year", "2024-02-27T12:00", ["0 0 29 2 *", "0 0 L 2 *", "0 0 28-29 2 *", "0 0 29 2 THU", "0 0 L * *",
                                                "59 23 * * *", "0 0 30 1,3 *"]),
    ("UTC", "29 February across 2100", "2096-02-28T00:00", ["0 0 29 2 *", "0 0 29 2 ?", "30 6 29 FEB *", "0 0 L 2 *"]),
    ("UTC", "29 February in 2000", "1995-03-01T00:00", ["0 0 29 2 *"]),
    ("UTC", "before 1970", "1969-12-31T23:30", ["*/20 * * * *", "0 0 1 1 *"]),
    ("Europe/Paris", "gap 02:00-03:00 on 29 March", "2026-03-28T12:00",
     ["30 2 * * *", "0 2 * * *", "0 3 * * *", "0 2,3 * * *", "15,45 2 * * *", "*/30 1-3 * * *", "59 1 * * *", "0 0 * * *",
      "30 2 29 3 *", "30 2 * * SUN", "30 2 L * *", "30 2 * * 7L"]),
    ("Europe/Paris", "gap", "2026-03-29T00:40", ["*/15 * * * *", "0 * * * *", "* * * * *", "*/7 * * * *", "59 * * * *"]),
    ("Europe/Paris", "overlap 02:00-03:00 on 25 October", "2026-10-24T22:00",
     ["30 2 * * *", "0 2 * * *", "0 3 * * *", "0 2,3 * * *", "*/30 1-3 * * *", "0 * * * *", "59 2 * * *"]),
    ("Europe/Paris", "overlap", "2026-10-24T23:40", ["*/15 * * * *", "* * * * *", "*/7 * * * *", "10,50 2 * * *"]),
    ("Europe/Paris", "within the second hour", "2026-10-25T01:20", ["*/15 * * * *", "30 2 * * *", "30 2,3 * * *"]),
    ("Europe/Paris", "gap by the footer", "2051-03-25T12:00", ["30 2 * * *", "0 12 * * *", "0 0 1 * *"]),
    ("Europe/Paris", "overlap by the footer", "2051-10-28T23:40", ["*/15 * * * *", "30 2 * * *"]),
    ("Europe/London", "gap 01:00-02:00", "2027-03-28T00:30", ["*/20 * * * *", "30 1 * * *", "0 0 28 3 *"]),
    ("Europe/London", "overlap", "2027-10-30T23:30", ["*/20 * * * *", "30 1 * * *"]),
    ("Europe/Dublin", "winter time is the saving", "2026-03-28T23:00", ["30 1 * * *", "*/30 0-2 * * *", "0 12 * * *"]),
    ("Europe/Dublin", "overlap", "2026-10-24T22:30", ["30 1 * * *", "*/30 0-2 * * *", "0 12 * * *"]),
    ("Europe/Dublin", "overlap by the footer", "2060-10-30T22:30", ["30 1 * * *", "0 * * * *"]),
    ("Europe/Moscow", "an hour back for good in 2014", "2014-10-25T20:30", ["30 1 * * *", "*/30 * * * *", "0 0 * * *"]),
    ("Africa/Casablanca", "saving ends for Ramadan", "2026-02-14T22:00", ["30 2 * * *", "*/30 1-4 * * *", "0 12 * * *"]),
    ("Africa/Casablanca", "and begins again", "2026-03-21T22:00", ["30 2 * * *", "*/30 1-4 * * *", "0 12 * * *"]),
    ("Africa/Casablanca", "after the last listed change", "2090-05-01T00:00", ["0 12 1 * *"]),
    ("Africa/Cairo", "gap at midnight of Friday", "2026-04-23T12:00", ["0 0 * * *", "30 0 * * *", "0 1 * * *", "@hourly"]),
    ("Africa/Cairo", "overlap before midnight", "2026-10-29T12:00", ["30 23 * * *", "0 0 * * *", "59 23 * * THU"]),
    ("Africa/Cairo", "overlap before midnight", "2026-10-29T20:10", ["*/20 * * * *"]),
    ("Africa/Monrovia", "offset of seconds, then a gap of 44:30", "1972-01-06T20:00",
     ["0 0 * * *", "30 0 * * *", "*/20 * * * *", "44 0 * * *", "45 0 * * *"]),
    ("America/New_York", "gap 02:00-03:00 on 8 March", "2026-03-07T22:00",
     ["30 2 * * *", "0 3 * * *", "0 2-3 * * *", "0 9 * * 1-5", "30 2 8 3 *", "30 2 8 3 0", "*/30 2 * * *"]),
    ("America/New_York", "gap", "2026-03-08T06:40", ["*/15 * * * *", "0 * * * *"]),
    ("America/New_York", "overlap 01:00-02:00 on 1 November", "2026-10-31T22:00",
     ["30 1 * * *", "0 1 * * *", "0 2 * * *", "0 1-2 * * *", "@daily"]),
    ("America/New_York", "overlap", "2026-11-01T05:20", ["*/15 * * * *", "0 * * * *"]),
    ("America/New_York", "second hour", "2026-11-01T06:10", ["*/15 * * * *", "30 1 * * *"]),
    ("America/New_York", "July 2038", "2038-07-03T00:00", ["0 12 * * *", "0 9 4 7 *", "30 2 L 3 *"]),
    ("America/New_York", "gap by the footer", "2099-03-07T12:00", ["30 2 * * *", "0 * * * SUN"]),
    ("America/New_York", "29 February across 2100", "2096-02-29T12:00", ["0 0 29 2 *", "30 2 29 2 *"]),
    ("America/St_Johns", "gap at 00:01", "2010-03-14T02:00", ["0 0 * * *", "30 0 * * *", "1 0 * * *", "*/20 * * * *"]),
    ("America/St_Johns", "overlap at 00:01, into the day before", "2010-11-06T12:00",
     ["0 0 * * *", "30 23 * * *", "0 0 7 11 *"]),
    ("America/Sao_Paulo", "gap at midnight", "2018-11-03T12:00", ["0 0 * * *", "30 0 * * *", "0 0 4 11 *", "*/30 0-1 * * *"]),
    ("America/Sao_Paulo", "overlap before midnight", "2019-02-16T12:00", ["30 23 * * *", "0 0 * * *", "0 23 * * SAT"]),
    ("America/Havana", "gap at midnight", "2026-03-07T20:00", ["0 0 * * *", "30 0 * * *", "0 1 * * *"]),
    ("America/Havana", "overlap after midnight", "2026-10-31T20:00", ["0 0 * * *", "30 0 * * *", "0 0 1 * *"]),
    ("America/Santiago", "gap at 24:00 of Saturday, south", "2026-09-05T12:00", ["0 0 * * *", "30 0 * * *", "0 12 * * *"]),
    ("America/Santiago", "overlap, south", "2027-04-03T12:00", ["30 23 * * *", "0 0 * * *", "0 * * * *"]),
    ("America/Nuuk", "change before midnight of the day before", "2028-03-25T12:00", ["30 22 * * *", "30 23 * * *", "0 0 * * *"]),
    ("America/Nuuk", "overlap on Saturday night", "2028-10-28T12:00", ["30 23 * * *", "0 0 * * *"]),
    ("America/Caracas", "half an hour forward", "2016-05-01T04:00", ["30 2 * * *", "45 2 * * *", "0 3 * * *", "*/15 2-3 * * *"]),
    ("Asia/Gaza", "gap by a rule of 50 hours", "2090-03-20T00:00", ["0 2 * * *", "30 2 * * SAT"]),
    ("Asia/Gaza", "overlap by a rule of 50 hours", "2090-10-20T00:00", ["30 1 * * *", "0 12 * * SAT"]),
    ("Asia/Jerusalem", "gap on Friday by a rule of 26 hours", "2026-03-26T12:00", ["30 2 * * *", "0 2 * * FRI"]),
    ("Asia/Jerusalem", "overlap", "2026-10-24T12:00", ["30 1 * * *", "0 2 * * *"]),
    ("Asia/Kathmandu", "offset 05:45", "2026-05-01T00:00", ["0 0 * * *", "*/20 * * * *", "0 12 1 * *"]),
    ("Asia/Kathmandu", "15 minutes forward at midnight of 1986", "1985-12-31T12:00", ["5 0 * * *", "0 0 * * *", "14,15 0 * * *"]),
    ("Asia/Kolkata", "offset 05:30", "2026-05-01T00:00", ["0 0 * * *", "0 9 * * 1-5"]),
    ("Asia/Pyongyang", "half an hour back at midnight", "2015-08-14T12:00", ["45 23 * * *", "0 0 * * *", "15 0 * * *"]),
    ("Asia/Pyongyang", "half an hour forward before midnight", "2018-05-04T12:00", ["45 23 * * *", "0 0 * * *"]),
    ("Asia/Tehran", "gap at midnight", "2022-03-21T12:00", ["0 0 * * *", "30 0 22 3 *", "0 1 * * *"]),
    ("Asia/Tokyo", "nothing", "2026-02-27T12:00", ["0 0 L * *", "0 0 * * MON"]),
    ("Australia/Sydney", "gap, south", "2026-10-03T12:00", ["30 2 * * *", "0 3 * * *", "0 9 * * SUN"]),
    ("Australia/Sydney", "gap, south", "2026-10-03T15:40", ["*/15 * * * *"]),
    ("Australia/Sydney", "overlap, south", "2026-04-04T12:00", ["30 2 * * *", "0 2-3 * * *"]),
    ("Australia/Sydney", "overlap, south", "2026-04-04T14:50", ["*/15 * * * *"]),
    ("Australia/Lord_Howe", "gap of half an hour", "2026-10-03T12:00",
     ["0 2 * * *", "15 2 * * *", "29 2 * * *", "30 2 * * *", "45 2 * * *", "*/15 2 * * *"]),
    ("Australia/Lord_Howe", "overlap of half an hour", "2026-04-04T12:00", ["30 1 * * *", "45 1 * * *", "0 2 * * *", "15 1 * * *"]),
    ("Australia/Lord_Howe", "overlap of half an hour", "2026-04-04T14:20", ["*/15 * * * *"]),
    ("Pacific/Apia", "no 30 December 2011", "2011-12-29T00:00",
     ["0 12 * * *", "0 0 * * *", "0 12 30 12 *", "0 12 30 * *", "0 * * * *", "0 12 * * FRI", "0 0 L * *", "@daily"]),
    ("Pacific/Apia", "no 30 December 2011", "2011-12-30T09:30", ["*/15 * * * *", "@hourly"]),
    ("Pacific/Kiritimati", "no 31 December 1994", "1994-12-30T00:00", ["0 12 * * *", "0 0 L * *", "0 0 1 1 *"]),
    ("Pacific/Kwajalein", "no 21 August 1993", "1993-08-20T00:00", ["0 12 * * *", "0 12 21 * *"]),
    ("Pacific/Chatham", "gap at 02:45", "2026-09-26T00:00", ["45 2 * * *", "0 3 * * *", "30 3 * * *", "45 3 * * *"]),
    ("Pacific/Chatham", "overlap 02:45-03:45", "2026-04-04T00:00", ["0 3 * * *", "50 2 * * *", "45 3 * * *"]),
    ("Pacific/Auckland", "gap by the footer, south", "2055-09-24T12:00", ["30 2 * * *", "0 0 L * *"]),
    ("Antarctica/Troll", "gap of two hours", "2026-03-28T12:00", ["0 1 * * *", "30 1 * * *", "30 2 * * *", "0 3 * * *", "0 1,2 * * *"]),
    ("Antarctica/Troll", "gap of two hours", "2026-03-29T00:20", ["*/20 * * * *", "@hourly"]),
    ("Antarctica/Troll", "overlap of two hours", "2026-10-24T12:00", ["0 1 * * *", "30 2 * * *", "0 3 * * *"]),
    ("Antarctica/Troll", "overlap of two hours", "2026-10-24T23:30", ["*/20 * * * *", "@hourly"]),
    ("Antarctica/Troll", "gap by the footer", "2071-03-28T12:00", ["30 1 * * *", "30 2 29 * *"]),
]


def text(time):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def main():
    lines = ["# Written by make_due_times.py beside this file: zone | pattern | after | the next five due times, in UTC."]
    count = 0
    for name, what, after_text, patterns in AROUND:
        with open(HERE / "zones" / name, "rb") as file:
            zone = zoneinfo.ZoneInfo.from_file(file, name)
        after = dt.datetime.fromisoformat(after_text).replace(tzinfo=UTC)
        lines.append(f"# {name}: {what}")
        for pattern in patterns:
            times = due_times(pattern, zone, after)
            lines.append(" | ".join([name, pattern, text(after), " ".join(map(text, times))]))
            count += 1
    (HERE / "due_times.txt").write_text("\n".join(lines) + "\n")
    print(count, "cases")


if __name__ == "__main__":
    main()
