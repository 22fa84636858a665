// Writes schedules.txt: what Kubernetes' own library makes of schedules. It is what our reading of them is held against.
//
// In a folder with nothing but this file:
//
//	go mod init schedules && go get github.com/robfig/cron/v3@v3.0.1 && go run . > schedules.txt
//
// A line is a schedule, a zone, a time, and the next three runs after it, or "-" where there is none within five years;
// or a schedule and why it is refused.
package main

import (
	"fmt"
	"math/rand"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

var written = []string{
	"* * * * *", "*/5 * * * *", "0 3 * * *", "30 2 * * *", "0 0 * * *", "15 0 * * *", "59 23 * * *", "30 1 * * *",
	"0 */6 * * *", "5/15 * * * *", "7-50/10 3,4 * * *", "0 9-17 * * MON-FRI", "0 0 * * SUN", "0 0 * * sun,Wed",
	"0 0 1 * *", "0 0 31 * *", "0 0 29 2 *", "0 0 29 feb ?", "0 0 30 4,6 *", "0 0 1 JAN *", "0 12 13 * FRI",
	"0 12 13 * *", "0 12 */2 * MON", "0 12 */1 * MON", "0 12 1-31 * MON", "0 12 ? * MON", "0 12 13 * */2",
	"0 12 13 * 0-6", "0 12 1-7 * 1", "*/90 * * * *", "0 1,,2 * * *", "? ? ? ? ?", "0 0 28-31 * *", "45 23 31 12 *",
	"0 */5 1 jan-mar *", "+5 3 * * *", "05 03 * * *", "@hourly", "@daily", "@midnight", "@weekly", "@monthly",
	"@yearly", "@annually", "0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 MON", "10 2,3 * 3,10 *",
	"  0   3 * *\t* ",
}

var refused = []string{
	"", " ", "*", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *",
	"* * * 13 *", "* * * * 7", "* * * * 0-7", "* * * * FRI-SUN", "5-1 * * * *", "*/0 * * * *", "1/0 * * * *",
	"*/x * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "-5 * * * *", "5- * * * *", "/5 * * * *", "* * * * L", "* * L * *",
	"* * 15W * *", "* * * * 5#2", "* * * * MONDAY", "* * * MON *", "JAN * * * *", "a * * * *", "1.5 * * * *",
	"@Daily", "@reboot", " @daily", "@daily ", "@", "@every", "99999999999999999999 * * * *", "* * * * *;",
}

var zones = []string{
	"UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata", "Africa/Cairo",
	"America/Havana", "America/Santiago",
}

// Around the changes of clocks in these zones, a leap day, and ends of months and years.
var times = []string{
	"2024-02-28T22:30:00Z", "2024-03-10T04:30:00Z", "2024-03-30T22:15:00Z", "2024-03-31T00:59:59Z",
	"2024-04-06T14:20:00Z", "2024-04-25T20:00:00Z", "2024-09-08T02:00:00Z", "2024-10-05T14:00:00Z",
	"2024-10-26T23:30:00Z", "2024-10-27T00:30:00Z", "2024-11-03T04:00:01Z", "2024-12-31T23:59:30Z",
}

func line(text, zone string, at time.Time) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	// As the controller does.
	schedule, err := cron.ParseStandard("TZ=" + zone + " " + text)
	if err != nil {
		panic(text + err.Error())
	}
	fmt.Printf("%s\t%s\t%s\t", strings.ReplaceAll(text, "\t", " "), zone, at.Format(time.RFC3339))
	next := at.In(loc)
	for i := range 3 {
		if next = schedule.Next(next); next.IsZero() {
			fmt.Println("-")
			return
		}
		if i > 0 {
			fmt.Print(" ")
		}
		fmt.Print(next.UTC().Format(time.RFC3339))
	}
	fmt.Println()
}

func field(r *rand.Rand, low, high int) string {
	n := func() int { return low + r.Intn(high-low+1) }
	a, b := n(), n()
	if a > b {
		a, b = b, a
	}
	switch r.Intn(7) {
	case 0:
		return fmt.Sprint(a)
	case 1:
		return fmt.Sprintf("%d-%d", a, b)
	case 2:
		return fmt.Sprintf("%d-%d/%d", a, b, 1+r.Intn(7))
	case 3:
		return fmt.Sprintf("%d,%d", b, a)
	case 4:
		return fmt.Sprintf("*/%d", 1+r.Intn(9))
	case 5:
		return fmt.Sprintf("%d/%d", a, 1+r.Intn(9))
	}
	return "*"
}

func main() {
	at := func(text string) time.Time {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			panic(err)
		}
		return t
	}
	for i, text := range written {
		line(text, "UTC", at(times[i%len(times)]))
		for j := range 2 {
			line(text, zones[1+(i+j)%(len(zones)-1)], at(times[(i*5+j*7)%len(times)]))
		}
	}
	for _, zone := range zones {
		for _, text := range []string{"30 2 * * *", "0 0 * * *", "*/15 0-3 * * *", "5 * * * *", "0 1 * * 0"} {
			for _, from := range times {
				line(text, zone, at(from))
			}
		}
	}
	r := rand.New(rand.NewSource(1))
	for range 250 {
		text := strings.Join([]string{
			field(r, 0, 59), field(r, 0, 23), field(r, 1, 31), field(r, 1, 12), field(r, 0, 6),
		}, " ")
		line(text, zones[r.Intn(len(zones))], at(times[r.Intn(len(times))]))
	}
	for _, text := range refused {
		if _, err := cron.ParseStandard(text); err == nil {
			panic("taken: " + text)
		} else {
			fmt.Printf("%s\trefused: %s\n", text, err)
		}
	}
}
