module github.com/byond/byond-go

go 1.24
