module keylend.example/smartcar-sdk

go 1.19

require github.com/smartcar/go-sdk v1.4.0

require github.com/mitchellh/mapstructure v1.1.2 // indirect
