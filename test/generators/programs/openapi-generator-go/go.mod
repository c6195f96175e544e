module example.com/acme/calls

go 1.23

require example.com/acme/byond v0.0.0

replace example.com/acme/byond => ./client
